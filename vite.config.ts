import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { firstScreenBudget } from './web/build/budget.ts'
import { compressed } from './web/build/compress.ts'
import { layersFirst } from './web/build/layers.ts'

/** Most script, gzip-compressed, that the first screen may load. */
const firstScreenBytes = 180_000

export default defineConfig({
  root: join(import.meta.dirname, 'web'),
  base: '/',
  plugins: [
    react(),
    layersFirst(),
    firstScreenBudget({ limit: firstScreenBytes, alsoLoads: ['screens/home/home.tsx'] }),
    compressed(),
  ],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    // Nothing becomes a data: address in a script or a style sheet; the Content-Security-Policy stays strict.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      '/api': { target: 'http://127.0.0.1:4650', ws: true },
    },
  },
})
