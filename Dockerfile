# syntax=docker/dockerfile:1

# The Node of package.json's optionalDependencies: `npm run check` holds them together.
FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings its own Node, so the pinned ones go; so do ONNX Runtime's binaries for other systems, and what no
# program loads: source maps, types (Node strips none below node_modules), other packages' tests and handbooks.
# (Optional dependencies cannot be omitted as a whole: the codecs' native library is one of them.)
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --no-fund --no-audit \
 && rm -rf node_modules/node-linux-* node_modules/node-win-* node_modules/.bin/node \
 && find node_modules/onnxruntime-node/bin -mindepth 2 -maxdepth 2 ! -name linux -exec rm -rf {} + \
 && find node_modules/onnxruntime-node/bin -mindepth 3 -maxdepth 3 ! -name "$(node -p process.arch)" -exec rm -rf {} + \
 && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -delete \
 && rm -rf node_modules/bintrees/test node_modules/fastify/test node_modules/fastify/docs node_modules/@fastify/*/test

# The same on every processor, so it is built once, on the one at hand.
FROM --platform=$BUILDPLATFORM node:24.21.0-bookworm-slim AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-fund --no-audit
COPY tsconfig.json vite.config.ts ./
COPY scripts/build-web.ts ./scripts/
COPY web ./web
RUN node scripts/build-web.ts

# Node and what it stands on: nothing that installs, and no program that gets more rights than who starts it.
FROM node:24.21.0-bookworm-slim AS system
RUN rm -rf /usr/local/include /usr/local/lib/node_modules /usr/local/share/doc /usr/local/share/man /opt/yarn-* \
      /usr/local/bin/corepack /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/yarn /usr/local/bin/yarnpkg \
      /usr/local/bin/docker-entrypoint.sh /var/cache/apt/* /var/lib/apt/lists/* \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && mkdir /data

# From scratch: what was removed above is in no layer of the image.
FROM scratch
LABEL org.opencontainers.image.title="RTSP Stream Viewer" \
      org.opencontainers.image.description="RTSP cameras live in the browser, with faces and alerts" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
COPY --from=system / /
COPY --from=system --chown=1000:1000 /data /data
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    NODE_ENV=production HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
WORKDIR /app
# Written by root, run by node: a break-in cannot change the program.
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY src ./src
COPY models ./models
COPY --from=page /app/web/dist ./web/dist
# The user node, as a number: Kubernetes cannot tell from a name that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# As process 1 it handles its signals and its children (the codec workers, which start none) itself: it needs no init.
# The flag is explained in bin/launch.mjs.
CMD ["node", "--max-semi-space-size=8", "src/cli.ts", "serve"]
