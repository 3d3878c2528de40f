"""Runs one edit with the authors' package in float32 on the CPU and prints what each stage took, as one line of JSON.

    python reference.py /tmp/full --vibe /path/to/VIBE --steps 20 --threads 2
"""

import argparse
import json
import os
import platform
import sys
import time
import warnings
from collections import defaultdict
from pathlib import Path

import torch
from authors_package import import_vibe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--vibe", type=Path, required=True, help="clone of the authors' repository")
    parser.add_argument("--picture", type=Path, help="default: picture.png of the checkpoint")
    parser.add_argument("--instruction", default="make it warmer")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance-scale", type=float, default=4.5)
    parser.add_argument("--image-guidance-scale", type=float, default=1.2)
    parser.add_argument("--warm-up", action="store_true", help="do an edit of one step before")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    import_vibe(arguments.vibe)
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore")

    from loguru import logger
    from PIL import Image
    from vibe.generative_pipeline import VIBESanaEditingPipeline

    logger.remove()
    started = time.perf_counter()
    pipe = VIBESanaEditingPipeline.from_pretrained(str(arguments.checkpoint), torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    loaded = time.perf_counter() - started
    picture = Image.open(arguments.picture or arguments.checkpoint / "picture.png").convert("RGB")

    stages = Stages()
    pipe.encode_prompt = stages.timed("condition", pipe.encode_prompt)
    pipe.prepare_image_latents = stages.timed("encode", pipe.prepare_image_latents)
    pipe._run_denoising_loop = stages.timed("denoise", pipe._run_denoising_loop)
    pipe.vae.decode = stages.timed("decode", pipe.vae.decode)

    for steps in [1, arguments.steps] if arguments.warm_up else [arguments.steps]:
        stages.seconds.clear()
        # Loading passes through memory that the edit does not need; the reference is not charged for it.
        reset_peak_memory()
        before = os.times()
        started = time.perf_counter()
        with torch.inference_mode():
            result = pipe(
                prompt=arguments.instruction,
                conditioning_image=picture,
                num_inference_steps=steps,
                guidance_scale=arguments.guidance_scale,
                image_guidance_scale=arguments.image_guidance_scale,
                generator=torch.Generator().manual_seed(42),
            )
        total = time.perf_counter() - started
        after = os.times()
        if len(result.images) != 1:
            raise RuntimeError(f"Expected one picture but received {len(result.images)}")
    report = {
        "steps": arguments.steps,
        "threads": arguments.threads,
        "seconds": {**stages.seconds, "total": total},
        "processorSeconds": after.user + after.system - before.user - before.system,
        "peakBytes": status_bytes("VmHWM"),
        "openSeconds": loaded,
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
    }
    print(json.dumps(report), flush=True)


class Stages:
    """Seconds spent in functions, by stage."""

    def __init__(self) -> None:
        self.seconds = defaultdict(float)

    def timed(self, stage, function):
        def call(*positional, **named):
            started = time.perf_counter()
            try:
                return function(*positional, **named)
            finally:
                self.seconds[stage] += time.perf_counter() - started

        return call


def reset_peak_memory() -> None:
    """Sets the process's largest resident size back to its present one (Linux)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def status_bytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"Expected {field} in /proc/self/status but received none")


if __name__ == "__main__":
    sys.exit(main())
