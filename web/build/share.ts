import type { Plugin } from 'vite'

/** While one writes the player, Vite shows the page of a share where the server does: under `/share/<token>`. */
export function sharePages(): Plugin {
  return {
    name: 'hocket-share-pages',
    configureServer({ middlewares }) {
      middlewares.use((request, _response, next) => {
        if (request.url?.startsWith('/share/') === true) request.url = '/share.html'
        next()
      })
    },
  }
}
