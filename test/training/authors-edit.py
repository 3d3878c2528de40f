"""One edit with the authors' package, and what it passes through on the way, as JSON and safetensors.

    python authors-edit.py CHECKPOINT OUT --vibe CLONE
"""

import argparse
import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench/reference"))
from authors_package import import_vibe  # noqa: E402

# Capitals, accents and another alphabet: the tokenizer takes case and accents off.
INSTRUCTION = "MACH es ein bißchen WÄRMER, s'il te plaît: теплее, ещё Й"
STEPS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--vibe", type=Path, required=True, help="clone of the authors' repository")
    arguments = parser.parse_args()
    import_vibe(arguments.vibe)
    torch.set_num_threads(1)

    from loguru import logger
    from PIL import Image
    from safetensors.torch import save_file
    from vibe.generative_pipeline import VIBESanaEditingPipeline
    from vibe.generative_pipeline.aspects_multiscale import ASPECT_RATIO_512
    from vibe.transformer.edit_head import MetaConnector

    logger.remove()
    width = json.loads((arguments.checkpoint / "transformer/config.json").read_text())["caption_channels"]
    # The authors' connector has its width as a default of the constructor.
    MetaConnector.__init__.__defaults__ = tuple(width if value == 2048 else value for value in MetaConnector.__init__.__defaults__)
    pipe = VIBESanaEditingPipeline.from_pretrained(str(arguments.checkpoint), torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    # Their bins, halved: the autoencoder of the small checkpoint compresses half as much.
    bins = {key: [size[0] / 2, size[1] / 2] for key, size in ASPECT_RATIO_512.items()}
    pipe.get_closest_size = lambda height, width: pipe.image_processor.classify_height_width_bin(height, width, ratios=bins)
    pipe.check_inputs = lambda *args, **kwargs: None

    columns, rows = torch.arange(300), torch.arange(200)
    waves = [(128 + 100 * torch.sin(columns / (9 + 4 * c) + rows[:, None] / 17)).round() for c in range(3)]
    Image.fromarray(torch.stack(waves, dim=-1).to(torch.uint8).numpy()).save(arguments.out / "picture.png")
    picture = Image.open(arguments.out / "picture.png").convert("RGB")
    with torch.inference_mode():
        embeds, nothing = pipe._get_editing_embeddings([INSTRUCTION], picture)
        height, width = (int(n) for n in pipe.get_closest_size(picture.height, picture.width))
        noise = torch.randn(1, 32, height // 16, width // 16, generator=torch.Generator().manual_seed(1))
        latents = pipe(
            prompt=INSTRUCTION,
            conditioning_image=picture,
            latents=noise.clone(),
            num_inference_steps=STEPS,
            guidance_scale=1.0,
            image_guidance_scale=0.0,
            output_type="latent",
        ).images
    tensors = {"promptEmbeds": embeds, "nullEmbeds": nothing, "noise": noise, "latents": latents}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, arguments.out / "edit.safetensors")
    (arguments.out / "edit.json").write_text(json.dumps({"instruction": INSTRUCTION, "steps": STEPS}))


main()
