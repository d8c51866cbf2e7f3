# SPDX-License-Identifier: MIT
# Two stages: the locked dependencies are installed, hashes checked, in the first; the second holds them, the code and no tools.

FROM python:3.11.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/notify-gateway
COPY requirements/runtime.txt /build/
RUN /opt/notify-gateway/bin/pip install --require-hashes -r /build/runtime.txt \
    && /opt/notify-gateway/bin/pip uninstall --yes pip setuptools
COPY audit /opt/notify-gateway/app/audit
COPY mappings /opt/notify-gateway/app/mappings
COPY notify_gateway /opt/notify-gateway/app/notify_gateway
COPY workers /opt/notify-gateway/app/workers
COPY LICENSE /opt/notify-gateway/app/
RUN echo /opt/notify-gateway/app > /opt/notify-gateway/lib/python3.11/site-packages/notify_gateway_app.pth \
    && printf '#!/opt/notify-gateway/bin/python\nfrom notify_gateway.cli.main import main\n\nif __name__ == "__main__":\n    main()\n' \
        > /opt/notify-gateway/bin/notify-gateway \
    && chmod 0755 /opt/notify-gateway/bin/notify-gateway \
    && /opt/notify-gateway/bin/python -m compileall -q -j 0 /opt/notify-gateway/app /opt/notify-gateway/lib

FROM python:3.11.13-slim-bookworm
LABEL org.opencontainers.image.title="notify_gateway" org.opencontainers.image.licenses="MIT"
# Pango and the font are what sheets of paper are set with (WeasyPrint).
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-liberation libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/*
# User 10002 is the opener's own. A named volume takes owner and mode of the folder that it covers, so the folders exist here.
RUN groupadd --system --gid 10001 notify \
    && useradd --system --uid 10001 --gid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin notify \
    && useradd --system --uid 10002 --gid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin notify-opener \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/notify-gateway/postcodes /var/lib/notify-gateway/erasures /run/keys \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/notify-gateway \
    && install -d -o 10002 -g 10001 -m 0750 /run/opener /run/opener-keys
COPY --from=build /opt/notify-gateway /opt/notify-gateway
ENV PATH=/opt/notify-gateway/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/notify-gateway
CMD ["notify-gateway", "--help"]
