# Three stages: build with everything, install what runs, ship only that. The embedded PostgreSQL is left out on purpose
# (it comes as an optional package): a container gets its database from DATABASE_URL.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json prisma.config.ts ./
COPY prisma ./prisma
COPY src ./src
RUN npm run build

FROM node:22-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# --omit=optional: the Prisma command line and TypeScript are optional peers of its client and would come along otherwise.
RUN npm ci --no-audit --no-fund --omit=dev --omit=optional

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY prisma/migrations ./prisma/migrations
COPY schema ./schema
USER node
# Beyond loopback the server wants RTMANAGER_API_TOKENS; a container that publishes its port sets both.
EXPOSE 8096
# Whether the process lives; what it depends on is /readyz's to tell, and no reason to restart it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.RTMANAGER_INTERNAL_HTTP_ADDR ?? ':8096').split(':').pop() + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]
