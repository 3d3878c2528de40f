/** @type {import('next').NextConfig} */
const config = {
  // Native code and files of their own: loaded from node_modules, not bundled.
  serverExternalPackages: ['vibe-edit', '@vibe-edit/bots', '@vibe-edit/core', 'sharp', 'onnxruntime-node'],
};

// biome-ignore lint/style/noDefaultExport: Next finds its configuration by its default export.
export default config;
