"""Networks several projects use. The modules here import torch; the weights beside them are plain safetensors."""
