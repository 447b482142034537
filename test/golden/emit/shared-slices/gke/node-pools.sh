#!/usr/bin/env bash
# Makes the node pools of a Mica plan, one per machine type and slice size. The same commands as argument arrays
# are in node-pools.json, the same requests for the REST API in node-pools/.
set -euo pipefail

# 1 x g4-standard-48, 1 x nvidia-rtx-pro-6000 in 1g.24gb, up to 3 pods a slice
gcloud container node-pools create mica-g4-standard-48-1g-24gb-shared \
  --project=my-project \
  --cluster=my-cluster \
  --location=us-central1-b \
  --machine-type=g4-standard-48 \
  --accelerator=type=nvidia-rtx-pro-6000,count=1,gpu-partition-size=1g.24gb,gpu-sharing-strategy=time-sharing,max-shared-clients-per-gpu=3,gpu-driver-version=latest \
  --num-nodes=1
