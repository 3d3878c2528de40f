"""Talks to a running server through OpenAI's unmodified client; prints what it saw as one JSON object.

Usage: openai_client.py BASE_URL API_KEY PICTURE MASK
"""

import base64
import io
import json
import sys

import openai

base_url, key, picture, mask = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
seen = {}

seen["models"] = [model.id for model in client.models.list()]

own = {"num_inference_steps": 1, "seed": 5, "preserve": "off", "geometry": "exact", "guidance_scale": 2.0, "sede": 6}
with open(picture, "rb") as file:
    raw = client.images.with_raw_response.edit(image=file, prompt="make it warmer", n=2, extra_body=own)
answer = raw.parse()
seen["own"] = {
    "seed": answer.seed,
    "warnings": [warning["code"] for warning in answer.warnings],
    "header": raw.headers["x-warnings"],
}
seen["edit"] = {
    "pictures": len(answer.data),
    "bytes": [len(base64.b64decode(item.b64_json)) for item in answer.data],
    "size": answer.size,
    "format": answer.output_format,
    "tokens": answer.usage.total_tokens,
}

with open(picture, "rb") as file, open(mask, "rb") as hole:
    answer = client.images.edit(image=[file], mask=hole, prompt="x", output_format="webp", extra_body={"steps": 1})
seen["masked"] = base64.b64decode(answer.data[0].b64_json)[8:12].decode()

with open(picture, "rb") as file:
    answer = client.images.edit(image=file.read(), prompt="bytes without a name", extra_body={"steps": 1})
seen["bytes"] = len(answer.data)

seen["generate"] = client.images.generate(prompt="a boat", size="64x64", extra_body={"steps": 1}).size

with open(picture, "rb") as file:
    stream = client.images.edit(
        image=file, prompt="make it warmer", stream=True, partial_images=2, extra_body={"steps": 4}
    )
    events = list(stream)
    seen["stream"] = [event.type for event in events]
    seen["stream warnings"] = events[-1].warnings


def failure(call):
    try:
        call()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code, error.param, bool(error.request_id)]
    return None


text = io.BytesIO(b"no picture")
seen["not a picture"] = failure(lambda: client.images.edit(image=("a.png", text), prompt="x"))
with open(picture, "rb") as file:
    seen["wrong model"] = failure(lambda: client.images.edit(image=file, prompt="x", model="other"))
stranger = openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0)
seen["wrong key"] = failure(lambda: stranger.models.list())

print(json.dumps(seen))
