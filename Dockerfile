# Builds with all tools, then ships only what runs: no shell, no package manager, no compiler, no Prisma command line.
# For another registry or base image: --build-arg BUILD_IMAGE=… --build-arg RUNTIME_IMAGE=… (any image with `node` on its PATH).
ARG BUILD_IMAGE=node:24-trixie-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No install script of a package is needed here, so none is run.
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY tsconfig.json tsconfig.build.json prisma.config.ts ./
COPY prisma ./prisma
COPY src ./src
RUN npm run build && find dist -name '*.map' -delete -o -name '*.d.ts' -delete

FROM ${BUILD_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# --omit=optional: the embedded PostgreSQL (a container gets its database from DATABASE_URL), and the Prisma command line and
# TypeScript, which are optional peers of Prisma's client and would be installed otherwise.
RUN npm ci --no-audit --no-fund --ignore-scripts --omit=dev --omit=optional
# Deletes files that no process reads: all query compilers of Prisma (60 MB) but the one that `compilerBuild` in
# prisma/schema.prisma names, and files for compilers, debuggers, bundlers and readers.
RUN find node_modules/@prisma/client/runtime -name 'query_compiler_*' ! -name 'query_compiler_small_bg.postgresql.*' -delete \
 && find node_modules -type f '(' -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.md' ')' -delete \
 && rm -rf node_modules/@opentelemetry/*/build/esm node_modules/@opentelemetry/*/build/esnext

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="runtime-cleanup" \
      org.opencontainers.image.description="Removes the containers of stopped runtimes: worker, API and command line" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# PATH has the folders in which the known base images keep node. HOME is set because the user may be unknown to the base image.
ENV NODE_ENV=production HOME=/tmp PATH=/nodejs/bin:/usr/local/bin:/usr/bin:/bin
WORKDIR /app
COPY package.json LICENSE ./
COPY prisma/migrations ./prisma/migrations
COPY schema ./schema
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# A number, because an orchestrator that checks that this is not root cannot resolve names.
USER 65532:65532
# To publish the port, set RTMANAGER_INTERNAL_HTTP_ADDR=:8096 and RTMANAGER_API_TOKENS: beyond loopback the server requires tokens.
EXPOSE 8096
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["node", "/app/dist/healthcheck.js"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve"]
