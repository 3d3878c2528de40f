/** One event of a stream of `text/event-stream`. */
export interface StreamEvent {
  readonly id: string | undefined;
  readonly type: string;
  readonly data: string;
}

/**
 * The events of a stream (HTML, section 9.2), comments and unfinished ones left out. The page reads streams itself because the
 * browser's `EventSource` sends no key.
 */
export async function* readEventStream(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      // A line may end in CR, LF or both; a CR at the very end may be half of one.
      const blocks = text.split(/\r\n\r\n|\n\n|\r\r(?!\n|$)/);
      text = blocks.pop() as string;
      for (const block of blocks) {
        const event = parseBlock(block);
        if (event !== undefined) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function parseBlock(block: string): StreamEvent | undefined {
  const data: string[] = [];
  let id: string | undefined;
  let type = 'message';
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'data') data.push(value);
    else if (field === 'event') type = value;
    else if (field === 'id') id = value;
  }
  return data.length === 0 ? undefined : { id, type, data: data.join('\n') };
}
