import type { Plugin } from 'vite'

/** The order of the cascade, weakest first. */
const order = '@layer tokens, base, components, screens;\n'

/**
 * Puts the order of the layers at the head of every style sheet. Whichever of them a browser reads first settles the
 * order for all, and screens bring their own sheets when they are first visited.
 */
export function layersFirst(): Plugin {
  return {
    name: 'hocket-layers-first',
    transform: {
      filter: { id: /\/web\/.*\.css$/ },
      handler: (code) => ({ code: order + code, map: null }),
    },
  }
}
