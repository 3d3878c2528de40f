"""Runs single components of the authors' stack in float32 on the CPU, for ../components.ts.

    python components.py /tmp/two-layers --vibe /path/to/VIBE --threads 2

Reads names of components from its input, one a line, runs each once, and answers with one line of JSON: seconds by the clock and of the
processor. Sizes are those of an edit at 512 x 512 with both guidances. What the first run of a component has to prepare is not counted.
"""

import argparse
import json
import os
import sys
import time
import warnings
from pathlib import Path

import torch
from authors_package import import_vibe

LATENT_SIDE = 16
BRANCHES = 3
IMAGE_TOKENS = LATENT_SIDE**2
PATCHES_PER_TOKEN = 4
TIMESTEP = 700.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--vibe", type=Path, required=True, help="clone of the authors' repository")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    import_vibe(arguments.vibe)
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore")

    components = {}
    for line in sys.stdin:
        name = line.strip()
        with torch.inference_mode():
            if name not in components:
                components[name] = BUILDERS[name](arguments.checkpoint)
                components[name]()
            clock, processor = time.perf_counter(), time.process_time()
            components[name]()
            report = {"seconds": time.perf_counter() - clock, "processorSeconds": time.process_time() - processor}
        print(json.dumps(report), flush=True)


def vision_encoder(checkpoint: Path):
    visual = load_text_encoder(checkpoint).model.visual
    config = visual.config
    patches = IMAGE_TOKENS * PATCHES_PER_TOKEN
    pixels = torch.rand(patches, config.in_channels * config.temporal_patch_size * config.patch_size**2) * 2 - 1
    side = LATENT_SIDE * config.spatial_merge_size
    grid = torch.tensor([[1, side, side]])
    return lambda: visual(pixels, grid)


def text_encoder(checkpoint: Path):
    """The prompt as long as the queries, as in the example inputs of ../components.ts."""
    model = load_text_encoder(checkpoint).model
    queries = read_config(checkpoint, "transformer")["num_meta_queries"]
    sequence = IMAGE_TOKENS + 2 * queries
    embeddings = torch.randn(1, sequence, model.config.text_config.hidden_size)
    pictures = torch.zeros(1, sequence, dtype=torch.bool)
    pictures[0, :IMAGE_TOKENS] = True
    levels = len(model.config.vision_config.deepstack_visual_indexes)
    deepstack = [torch.randn(IMAGE_TOKENS, embeddings.shape[2]) for _ in range(levels)]
    positions = torch.arange(sequence).expand(3, 1, sequence)
    return lambda: model.language_model(
        inputs_embeds=embeddings,
        position_ids=positions,
        attention_mask=torch.ones(1, sequence, dtype=torch.bool),
        visual_pos_masks=pictures,
        deepstack_visual_embeds=deepstack,
    )


def connector(checkpoint: Path):
    transformer = load_transformer(checkpoint)
    config = transformer.config
    states = torch.randn(1, config.num_meta_queries, config.meta_queries_dim)
    return lambda: transformer.forward_edit_heads(1, states)


def transformer(checkpoint: Path):
    """One step; what is computed once an edit on the other side is a part of it here."""
    model = load_transformer(checkpoint)
    config = model.config
    latents = torch.randn(BRANCHES, config.in_channels, LATENT_SIDE, LATENT_SIDE)
    prompt = torch.randn(BRANCHES, config.num_meta_queries, config.caption_channels)
    timestep = torch.full((BRANCHES,), TIMESTEP)
    return lambda: model(latents, prompt, timestep)


def vae_encoder(checkpoint: Path):
    vae = load_vae(checkpoint)
    picture = torch.rand(1, 3, LATENT_SIDE * 32, LATENT_SIDE * 32) * 2 - 1
    return lambda: vae.encode(picture)


def vae_decoder(checkpoint: Path):
    vae = load_vae(checkpoint)
    latents = torch.randn(1, vae.config.latent_channels, LATENT_SIDE, LATENT_SIDE)
    return lambda: vae.decode(latents)


BUILDERS = {
    "visionEncoder": vision_encoder,
    "textEncoder": text_encoder,
    "connector": connector,
    "transformer": transformer,
    "vaeEncoder": vae_encoder,
    "vaeDecoder": vae_decoder,
}


def load_text_encoder(checkpoint: Path):
    from transformers import Qwen3VLForConditionalGeneration

    return Qwen3VLForConditionalGeneration.from_pretrained(checkpoint / "text_encoder", dtype=torch.float32).eval()


def load_transformer(checkpoint: Path):
    from vibe.transformer import VIBESanaEditingModel

    return VIBESanaEditingModel.from_pretrained(checkpoint / "transformer", torch_dtype=torch.float32).eval()


def load_vae(checkpoint: Path):
    from diffusers import AutoencoderDC

    return AutoencoderDC.from_pretrained(checkpoint / "vae", torch_dtype=torch.float32).eval()


def read_config(checkpoint: Path, folder: str) -> dict:
    return json.loads((checkpoint / folder / "config.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
