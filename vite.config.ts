import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { firstScreenBudget } from './web/build/budget.ts'
import { compressed } from './web/build/compress.ts'
import { layersFirst } from './web/build/layers.ts'
import { proxyTo } from './web/build/proxy.ts'
import { sharePages } from './web/build/share.ts'

/** Most script, gzip-compressed, that the first screen may load. */
const firstScreenBytes = 180_000
/** The same for the page of a share, which people open on a phone and have never opened before. */
const shareBytes = 120_000

const root = join(import.meta.dirname, 'web')

export default defineConfig({
  root,
  base: '/',
  plugins: [
    react(),
    layersFirst(),
    sharePages(),
    firstScreenBudget({ page: 'index', limit: firstScreenBytes, alsoLoads: ['screens/home/home.tsx'] }),
    firstScreenBudget({ page: 'share', limit: shareBytes, alsoLoads: [] }),
    compressed(),
  ],
  build: {
    rollupOptions: { input: [join(root, 'index.html'), join(root, 'share.html')] },
    outDir: '../dist/web',
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    // Nothing becomes a data: address in a script or a style sheet; the Content-Security-Policy stays strict.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: {
    // `npm run dev` says where its server listens.
    proxy: proxyTo(process.env.HOCKET_DEV_SERVER ?? 'http://127.0.0.1:4650'),
  },
})
