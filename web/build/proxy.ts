/** The server's paths, as `npm run dev` hands them on from Vite. The modules of `web/api/` have addresses below `/api`, too. */
const serverPaths = ['^/api/(?!.*\\.ts(?:\\?|$))', '^/rest/', '^/openapi\\.json$', '^/docs(?:/|$)'] as const

/** Vite's own setting: each path (a pattern, since it begins with `^`) and where it leads; WebSockets, too. */
export function proxyTo(server: string): Record<string, { target: string; ws: boolean }> {
  return Object.fromEntries(serverPaths.map((path) => [path, { target: server, ws: true }]))
}
