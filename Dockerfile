# docker build -t inkling .
# docker build -t inkling --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 .    (NVIDIA GPUs)
# docker build -t inkling --build-arg RUNTIMES="llama-cpp openvino" .    (faster on a CPU without AMX)

FROM python:3.12-slim

ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG RUNTIMES=

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    HF_HOME=/hub

WORKDIR /app

# Requirements change less often than code, so they have their own layers. torch comes first and alone:
# the lock then finds it installed, and fetches only the rest, its CUDA packages included.
COPY requirements.txt requirements-starter.txt requirements-llama-cpp.txt requirements-openvino.txt requirements-c2pa.txt requirements-ray.txt requirements-postgres.txt ./
RUN pip install --no-deps --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.txt)"
RUN pip install -r requirements.txt && pip install --no-deps -r requirements-starter.txt
RUN for name in $RUNTIMES; do pip install --no-deps -r "requirements-$name.txt"; done

COPY bot.py config.yaml ./
COPY cogs cogs
COPY inference inference
COPY preview preview
COPY starter starter
COPY storage storage

# Downloaded models are in /hub, what the bot itself keeps in /app/data. Nothing else is written, but temporary files.
RUN useradd --create-home --uid 1000 inkling && install --directory --owner=inkling /hub /app/data
ENV MPLCONFIGDIR=/tmp/matplotlib
USER inkling
VOLUME ["/hub", "/app/data"]

# The bot touches the file every 30 seconds while it is connected to Discord and its event loop turns.
HEALTHCHECK --interval=60s --timeout=10s --start-period=120s --retries=3 \
    CMD ["sh", "-c", "find data/heartbeat -mmin -2 | grep -q ."]

# As a service, the bot never starts the preview, and ends after 15 minutes without Discord, so that Docker starts it again.
ENTRYPOINT ["python", "bot.py", "--service"]
