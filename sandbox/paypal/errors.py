"""PayPal's error answers: the REST interface's body, and OAuth's flat one."""

from __future__ import annotations

import secrets
from typing import Any

from sandbox.vendors import Answer

NAMES = {
    400: ("INVALID_REQUEST", "Request is not well-formed, syntactically incorrect, or violates schema."),
    401: (
        "AUTHENTICATION_FAILURE",
        "Authentication failed due to missing authorization header, or invalid authentication credentials.",
    ),
    403: ("NOT_AUTHORIZED", "Authorization failed due to insufficient permissions."),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    409: ("RESOURCE_CONFLICT", "The server has detected a conflict while processing this request."),
    422: (
        "UNPROCESSABLE_ENTITY",
        "The requested action could not be performed, semantically incorrect, or failed business validation.",
    ),
    429: ("RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting."),
    500: ("INTERNAL_SERVER_ERROR", "An internal server error occurred."),
    503: ("SERVICE_UNAVAILABLE", "Service Unavailable."),
}
ISSUES = {
    "AMOUNT_MISMATCH": "Should equal item_total + tax_total + shipping + handling + insurance - shipping_discount "
    "- discount.",
    "CANNOT_BE_NEGATIVE": "Must be greater than or equal to 0. If the currency supports decimals, only two decimal "
    "place precision is supported.",
    "CANNOT_BE_ZERO_OR_NEGATIVE": "Must be greater than zero. If the currency supports decimals, only two decimal "
    "place precision is supported.",
    "CAPTURE_FULLY_REFUNDED": "The capture has already been fully refunded",
    "DECIMAL_PRECISION": "If the currency supports decimals, only two decimal place precision is supported.",
    "DECIMALS_NOT_SUPPORTED": "The currency does not support decimals.",
    "DUPLICATE_INVOICE_ID": "Invoice ID was previously used to refund a capture.",
    "INSTRUMENT_DECLINED": "The instrument presented  was either declined by the processor or bank, or it can't be "
    "used for this payment.",
    "INVALID_ARRAY_MAX_ITEMS": "The number of items in an array parameter is too large.",
    "INVALID_ARRAY_MIN_ITEMS": "The number of items in an array parameter is too small.",
    "INVALID_CURRENCY_CODE": "Currency code is invalid or is not currently supported. Please refer "
    "https://developer.paypal.com/api/rest/reference/currency-codes/ for list of supported currency codes.",
    "INVALID_PARAMETER_SYNTAX": "The value of a field does not conform to the expected format.",
    "INVALID_PARAMETER_VALUE": "A parameter value is not valid.",
    "INVALID_RESOURCE_ID": "Specified resource ID does not exist. Please check the resource ID and try again.",
    "INVALID_STRING_LENGTH": "The value of a field is either too short or too long",
    "ITEM_TOTAL_MISMATCH": "Should equal sum of (unit_amount * quantity) across all items for a given purchase_unit.",
    "ITEM_TOTAL_REQUIRED": "If item details are specified (items.unit_amount and items.quantity) corresponding "
    "amount.breakdown.item_total is required.",
    "MALFORMED_REQUEST_JSON": "The request JSON is not well formed.",
    "MAX_VALUE_EXCEEDED": "Should be less than or equal to 9999999.99.",
    "MISSING_REQUIRED_PARAMETER": "A required parameter is missing.",
    "MULTI_CURRENCY_ORDER": "Multiple differing values of currency_code are not supported. Entire Order request must "
    "have the same currency_code.",
    "NOT_SUPPORTED": "This field is not currently supported.",
    "ORDER_ALREADY_CAPTURED": "Order already captured.If 'intent=CAPTURE' only one capture per order is allowed.",
    "ORDER_NOT_APPROVED": "Payer has not yet approved the Order for payment. Please redirect the payer to the "
    "'rel':'approve' url returned as part of the HATEOAS links within the Create Order call or provide a valid "
    "`payment_source` in the request.",
    "PENDING_CAPTURE": "Cannot initiate a refund as the capture is pending. Capture is typically pending when the "
    "payer has funded the transaction using e-check/bank funded.",
    "REFUND_AMOUNT_EXCEEDED": "The refund amount must be less than or equal to the capture amount that has not yet "
    "been refunded.",
    "REFUND_CAPTURE_CURRENCY_MISMATCH": "Refund must be in the same currency as the capture",
    "REFUND_NOT_ALLOWED": "Capture cannot be refunded.",
}


class PayPalError(Exception):
    """An error answer: HTTP status, the issue, and the member (a JSON pointer) or parameter at fault."""

    def __init__(self, status: int, issue: str, field: str = "", value: str = "") -> None:
        super().__init__(f"{issue} {field}".rstrip())
        self.status = status
        self.issue = issue
        self.field = field
        self.value = value

    def answer(self) -> Answer:
        """The answer that carries this error."""
        detail = {"issue": self.issue, "description": ISSUES.get(self.issue, self.issue)}
        if self.field:
            detail |= {"field": self.field, "location": "body" if self.field.startswith("/") else "path"}
        if self.value:
            detail["value"] = self.value
        return Answer(self.status, envelope(self.status, [detail]))


class TokenError(Exception):
    """An error answer of the token endpoint, and of every other to a token that is not good."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description

    def answer(self) -> Answer:
        """The answer that carries this error."""
        return Answer(self.status, {"error": self.error, "error_description": self.description})


def envelope(status: int, details: list[dict[str, str]]) -> dict[str, Any]:
    """The body of an error."""
    name, message = NAMES.get(status, NAMES[500] if status >= 500 else NAMES[400])
    body: dict[str, Any] = {"name": name, "message": message, "debug_id": secrets.token_hex(7)[:13]}
    if details:
        issue = details[0]["issue"]
        href = f"https://developer.paypal.com/api/rest/reference/orders/v2/errors/#{issue}"
        body |= {"details": details, "links": [{"href": href, "rel": "information_link", "method": "GET"}]}
    return body


def invalid(issue: str, field: str, value: str = "") -> PayPalError:
    """A 400 for a member that violates the contract."""
    return PayPalError(400, issue, field, value)


def unprocessable(issue: str, field: str = "", value: str = "") -> PayPalError:
    """A 422 for a request that is well formed and can't be carried out."""
    return PayPalError(422, issue, field, value)


def not_found(field: str, value: str) -> PayPalError:
    """The 404 for ids that are not known here."""
    return PayPalError(404, "INVALID_RESOURCE_ID", field, value)


def fault(status: int, path: str) -> Answer:
    """What PayPal says when it fails by itself or has had enough."""
    headers = (("retry-after", "1"),) if status in (429, 503) else ()
    return Answer(status, envelope(status, []), headers)
