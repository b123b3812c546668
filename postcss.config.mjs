const config = { plugins: { '@tailwindcss/postcss': {} } }

// biome-ignore lint/style/noDefaultExport: the tool reads the default export
export default config
