# One image for every process of Bourse; which one it is, its arguments say: services/trading/src/main.ts, operator/src/main.ts, …
#
#   docker build -t bourse:dev .          buildah bud -t bourse:dev .
#
# The stages need the package registries, a container nothing of them. SOURCE_DATE_EPOCH dates every file, so that two builds of
# the same commit differ in nothing that matters.
ARG NODE_IMAGE=node:26-bookworm-slim

# --- the packages of the lock file; this layer stays until a package.json changes
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY operator/package.json operator/
COPY risk-rules/package.json risk-rules/
COPY services/all-in-one/package.json services/all-in-one/
COPY services/bridge/package.json services/bridge/
COPY services/client/package.json services/client/
COPY services/common/package.json services/common/
COPY services/console/package.json services/console/
COPY services/gateway/package.json services/gateway/
COPY services/ledger/package.json services/ledger/
COPY services/market/package.json services/market/
COPY services/mock-bank/package.json services/mock-bank/
COPY services/mock-exchange/package.json services/mock-exchange/
COPY services/observability/package.json services/observability/
COPY services/simulation/package.json services/simulation/
COPY services/trading/package.json services/trading/
# No script of any package runs: what they would fetch (the Node of the npm package "node") is in the base image.
RUN npm ci --ignore-scripts --no-audit --no-fund

# --- the two machines, compiled
FROM packages AS machines
COPY services/common/tooling services/common/tooling
COPY risk-rules risk-rules
RUN node services/common/tooling/build-wasm.mjs --out-dir /machines

# --- the console, bundled; its libraries stay in this stage
FROM machines AS console
COPY tsconfig.json ./
COPY services/common services/common
COPY services/client services/client
COPY services/console services/console
RUN install -D -t risk-rules/build /machines/*.wasm && node services/common/tooling/build-console.mjs

# --- what runs: packages without what only people and compilers read, sources, machines
FROM packages AS app
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/.bin node_modules/.package-lock.json node_modules/node node_modules/node-bin-* node_modules/@types \
      services/simulation services/client services/console node_modules/@bourse/simulation node_modules/@bourse/client \
      node_modules/@bourse/console node_modules/openapi-fetch node_modules/openapi-typescript-helpers package-lock.json .npmrc \
      node_modules/bare-fs node_modules/bare-url node_modules/bare-buffer node_modules/bare-path node_modules/bare-os node_modules/bare-stream \
 && find node_modules -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' -o -name '*.md' \
      -o -name '*.markdown' -o -name '*.flow' -o -name '*.tsbuildinfo' -o -name '.*' \) -delete \
 && find node_modules -type d \( -name test -o -name tests -o -name docs -o -name example -o -name examples -o -name benchmark \
      -o -name .github \) -prune -exec rm -rf {} + \
 && rm -f node_modules/swagger-ui-dist/swagger-ui.js node_modules/swagger-ui-dist/log.* node_modules/swagger-ui-dist/swagger-ui-es-* node_modules/swagger-ui-dist/oauth2-redirect* \
 && find node_modules -type d -empty -delete
COPY crds crds
COPY operator/src operator/src
COPY risk-rules/src risk-rules/src
COPY risk-rules/reference risk-rules/reference
COPY services services
COPY --from=machines /machines/*.wasm risk-rules/build/
RUN rm -rf services/simulation services/client services/console services/*/test services/common/tooling \
      services/common/src/testkit operator/src/testkit
COPY --from=console /app/services/console/build services/console/build

# Modules as Node has compiled them, in a folder that no container writes to, so that a process starts in less time. Each program
# is loaded and ends at once, since nothing configures it. Another processor than this one ignores what it can not use.
RUN install -d -o 1000 -g 1000 .cache
USER 1000:1000
RUN for program in operator services/gateway services/ledger services/trading services/bridge services/market; do \
      NODE_COMPILE_CACHE=/app/.cache node "$program/src/main.ts" >/dev/null 2>&1 || true; \
    done
USER 0:0
ARG SOURCE_DATE_EPOCH=0
RUN chown -R 0:0 . && chmod -R a+rX,go-w . && find . -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +

# --- Node without its symbols, the libraries that it loads, a user without rights
FROM ${NODE_IMAGE} AS runtime
RUN apt-get update -qq && apt-get install -yqq --no-install-recommends binutils >/dev/null
ARG SOURCE_DATE_EPOCH=0
RUN node=$(command -v node) && mkdir -p /out/usr/local/bin /out/usr/share/doc/node /out/etc && install -d -m 1777 /out/tmp \
 && strip --strip-unneeded -o /out/usr/local/bin/node "$node" \
 && cp "$(dirname "$node")/../LICENSE" /out/usr/share/doc/node/ \
 && for library in $(ldd "$node" | grep -o '/[^ ]*'); do install -D "$library" "/out$library"; done \
 && echo 'node:x:1000:1000::/tmp:/sbin/nologin' >/out/etc/passwd && echo 'node:x:1000:' >/out/etc/group \
 && echo 'hosts: files dns' >/out/etc/nsswitch.conf \
 && find /out -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +

# --- no shell, no package manager: Node and the app. Certificate authorities and time zones are inside Node.
FROM scratch
COPY --from=runtime /out /
COPY --from=app /app /app
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Bourse" \
      org.opencontainers.image.description="Every process of the exchange platform: operator, gateway, shards, market, simulators" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/.cache HOME=/tmp
WORKDIR /app
USER 1000:1000
EXPOSE 3000 3100
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/node", "--disable-warning=ExperimentalWarning"]
