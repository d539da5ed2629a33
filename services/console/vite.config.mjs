/** How the console is bundled. The same sources give the same bytes: names follow from contents, nothing from the machine. */
import { defineConfig } from 'vite'

export default defineConfig({
  base: '/',
  oxc: { jsx: { runtime: 'automatic' } },
  build: {
    target: 'es2023',
    // A data: URL would need a looser content policy than files of our own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    rolldownOptions: {
      onwarn: (warning, warn) => {
        // "use client" is for servers that render components; this console has none, so that nothing of it is lost.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning)
      },
    },
    // The chart is loaded when there is one to draw, by an import of its own.
    chunkSizeWarningLimit: 600,
  },
})
