import { escapeXml } from './xml.js';

/** Namespace of the parameters that no standard has a property for. */
export const VIBE_NAMESPACE = 'urn:vibe-edit:provenance:1.0#';

/** Prefix: namespace URI. XMP specification part 1 (ISO 16684-1), IPTC Photo Metadata Standard 2025.1. */
const NAMESPACES = {
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  dc: 'http://purl.org/dc/elements/1.1/',
  xmp: 'http://ns.adobe.com/xap/1.0/',
  Iptc4xmpExt: 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/',
  vibe: VIBE_NAMESPACE,
} as const;

type Prefix = keyof typeof NAMESPACES;

/** A property and its value; an `alternative` is one of several languages, here the default one. */
export interface XmpProperty {
  readonly name: `${Prefix}:${string}`;
  readonly value: string;
  readonly alternative?: boolean;
}

/** A whole packet with these properties. */
export function xmpPacket(properties: readonly XmpProperty[]): string {
  return [
    `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>`,
    `<x:xmpmeta xmlns:x="adobe:ns:meta/">`,
    ` <rdf:RDF xmlns:rdf="${NAMESPACES.rdf}">`,
    description(properties),
    ` </rdf:RDF>`,
    `</x:xmpmeta>`,
    `<?xpacket end="w"?>`,
  ].join('\n');
}

/**
 * The packet with these properties added, as a further description of the same picture. What it says already stays: XMP has no property
 * twice.
 * @returns undefined when the text is no XMP packet
 */
export function extendXmpPacket(packet: string, properties: readonly XmpProperty[]): string | undefined {
  const end = packet.search(/<\/[\w.-]+:RDF\s*>(?![\s\S]*<\/[\w.-]+:RDF\s*>)/);
  if (end < 0) return undefined;
  const added = properties.filter(({ name }) => !new RegExp(`[<\\s]${name}[\\s=>/]`).test(packet));
  return `${packet.slice(0, end)}${description(added)}\n${packet.slice(end)}`;
}

/** It declares every prefix itself, so that it can stand in anybody's packet. */
function description(properties: readonly XmpProperty[]): string {
  const declarations = Object.entries(NAMESPACES).map(([prefix, uri]) => `xmlns:${prefix}="${uri}"`);
  return [
    `  <rdf:Description rdf:about="" ${declarations.join(' ')}>`,
    ...properties.map(propertyElement),
    `  </rdf:Description>`,
  ].join('\n');
}

function propertyElement({ name, value, alternative = false }: XmpProperty): string {
  const text = escapeXml(value);
  if (!alternative) return `   <${name}>${text}</${name}>`;
  return `   <${name}><rdf:Alt><rdf:li xml:lang="x-default">${text}</rdf:li></rdf:Alt></${name}>`;
}
