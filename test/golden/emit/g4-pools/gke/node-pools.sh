#!/usr/bin/env bash
# Makes the node pools of a Mica plan, one per machine type and slice size. The same commands as argument arrays
# are in node-pools.json, the same requests for the REST API in node-pools/.
set -euo pipefail

# 2 x g4-standard-96, 2 x nvidia-rtx-pro-6000 in 1g.24gb
gcloud container node-pools create mica-g4-standard-96-1g-24gb \
  --project=shop \
  --cluster=inference \
  --location=us-central1 \
  --node-locations=us-central1-b \
  --machine-type=g4-standard-96 \
  --accelerator=type=nvidia-rtx-pro-6000,count=2,gpu-partition-size=1g.24gb,gpu-driver-version=latest \
  --num-nodes=2

# 1 x g4-standard-48, 1 x nvidia-rtx-pro-6000 in 2g.48gb
gcloud container node-pools create mica-g4-standard-48-2g-48gb \
  --project=shop \
  --cluster=inference \
  --location=us-central1 \
  --node-locations=us-central1-b \
  --machine-type=g4-standard-48 \
  --accelerator=type=nvidia-rtx-pro-6000,count=1,gpu-partition-size=2g.48gb,gpu-driver-version=latest \
  --num-nodes=1

# 1 x g4-standard-96, 2 x nvidia-rtx-pro-6000 whole
gcloud container node-pools create mica-g4-standard-96-whole \
  --project=shop \
  --cluster=inference \
  --location=us-central1 \
  --node-locations=us-central1-b \
  --machine-type=g4-standard-96 \
  --accelerator=type=nvidia-rtx-pro-6000,count=2,gpu-driver-version=latest \
  --num-nodes=1
