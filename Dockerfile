# Mica in a container: `mica controller` for deploy/kubernetes/controller, or any other command.
#   docker build -t REGISTRY/mica:0.1.0 .
# No script of a package runs while it is built: what is compiled comes as packages for each platform.
ARG NODE=20

FROM node:${NODE}-slim AS build
WORKDIR /src
COPY package.json package-lock.json tsconfig.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY bin bin
COPY scripts scripts
COPY src src
# The command builds what it runs, so that this is the proof that it starts, too.
RUN node bin/mica --version && rm dist/.built-from

FROM node:${NODE}-slim AS modules
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:${NODE}-slim
# Nothing is installed in a container that runs.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
    /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
    && ln -s /opt/mica/bin/mica /usr/local/bin/mica
WORKDIR /opt/mica
COPY package.json LICENSE ./
COPY bin bin
COPY data data
COPY --from=modules /src/node_modules node_modules
COPY --from=build /src/dist dist
# The user below has no home, and Node wants to know of one.
ENV NODE_ENV=production HOME=/
USER 65532:65532
ENTRYPOINT ["mica"]
