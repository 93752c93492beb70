# syntax=docker/dockerfile:1
# One image for every Airflow component of docker-compose.yaml, and for the sandbox.
# The slim official image: what it does not bring cannot contradict the pins of the lock.
FROM apache/airflow:slim-3.3.2-python3.11

USER root
# The evidence volume takes its owner from this folder.
RUN install --directory --owner=airflow --group=0 --mode=0775 \
        /opt/certrecon /opt/certrecon/var /opt/certrecon/var/evidence /opt/airflow/logs /opt/airflow/passwords
USER airflow
WORKDIR /opt/certrecon

# Wheels only: no compiler is needed, and none is left over. The same lock that tests/wide installs.
COPY --chown=airflow:0 requirements-celery.lock ./
RUN pip install --no-cache-dir --require-hashes --only-binary=:all: --requirement requirements-celery.lock

COPY --chown=airflow:0 pyproject.toml ./
COPY --chown=airflow:0 include ./include
COPY --chown=airflow:0 plugins ./plugins
COPY --chown=airflow:0 dags ./dags
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
    && pip uninstall --yes setuptools \
    && pip check
