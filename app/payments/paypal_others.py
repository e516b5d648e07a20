"""What PayPal's SDK has no call for, asked for the way it asks: disputes and the catalogue."""

from __future__ import annotations

from typing import Any

from apimatic_core.authentication.multiple.single_auth import Single
from apimatic_core.request_builder import RequestBuilder
from apimatic_core.response_handler import ResponseHandler
from apimatic_core.types.parameter import Parameter
from paypalserversdk.api_helper import APIHelper
from paypalserversdk.configuration import Server
from paypalserversdk.controllers.base_controller import BaseController
from paypalserversdk.exceptions.error_exception import ErrorException
from paypalserversdk.http.http_method_enum import HttpMethodEnum

from app.payments.paypal_transport import Client


def get_dispute(client: Client, dispute_id: str) -> Any:
    """A dispute by its id."""
    request = _request("/v1/customer/disputes/{id}", HttpMethodEnum.GET)
    request = request.template_param(Parameter().key("id").value(dispute_id).should_encode(True))
    return _answer(client, request)


def create_product(client: Client, request_id: str, body: dict[str, Any]) -> Any:
    """Add a product to the catalogue, once for a `request_id` within PayPal's window."""
    request = _request("/v1/catalogs/products", HttpMethodEnum.POST)
    for name, value in (("Content-Type", "application/json"), ("PayPal-Request-Id", request_id)):
        request = request.header_param(Parameter().key(name).value(value))
    request = request.body_param(Parameter().value(body)).body_serializer(APIHelper.json_serialize)
    return _answer(client, request)


def _request(path: str, method: str) -> Any:
    request = RequestBuilder().server(Server.DEFAULT).path(path).http_method(method)
    return request.header_param(Parameter().key("accept").value("application/json"))


def _answer(client: Client, request: Any) -> Any:
    handler = ResponseHandler().deserializer(APIHelper.json_deserialize).is_api_response(True)
    handler = handler.local_error("default", "The error response.", ErrorException)
    builder = BaseController(client.global_configuration).new_api_call_builder
    return builder.request(request.auth(Single("Oauth2"))).response(handler).execute()
