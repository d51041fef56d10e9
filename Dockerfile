# syntax=docker/dockerfile:1
# Pin both by digest where you build for production: --build-arg NODE_IMAGE=node:24-slim@sha256:…
ARG NODE_IMAGE=node:24-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${NODE_IMAGE} AS build
WORKDIR /build
# Dependencies first: they change less often than the code.
COPY package.json package-lock.json LICENSE ./
RUN npm ci --ignore-scripts
COPY tsconfig.json build.config.ts ./
COPY src src
COPY webhook webhook
COPY certs certs
COPY sidecar sidecar
RUN node build.config.ts
# So that `kubectl exec … svc-ferry doctor` needs neither a shell nor the path of Node.
RUN printf '#!/nodejs/bin/node\nimport("/app/svc-ferry.js");\n' > svc-ferry && chmod 755 svc-ferry

# Node and one file for each entry: no shell, no package manager, nothing to write to.
FROM ${RUNTIME_IMAGE}
LABEL org.opencontainers.image.title="svc-ferry" \
      org.opencontainers.image.description="Labelled Services of one Kubernetes cluster, live in another" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=build /build/LICENSE /build/package.json /build/dist/*.js /build/dist/*.LEGAL.txt ./
COPY --from=build /build/svc-ferry /usr/local/bin/
ENV NODE_ENV=production
# Numeric, so that runAsNonRoot can be checked without a passwd file.
USER 65532:65532
EXPOSE 8080 9443 9444 10520
ENTRYPOINT ["/nodejs/bin/node", "/app/svc-ferry.js"]
CMD ["run"]
