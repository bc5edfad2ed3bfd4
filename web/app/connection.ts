/** What a Subsonic app asks for. */
export interface Connection {
  /** Where the server is: scheme, host and port, as apps want it. */
  server: string
  user: string
  secret: string
}

/**
 * An address of ours that shows the connection on the device that opens it. User and secret stand behind the `#`, which
 * browsers keep to themselves: they reach no server and no log.
 */
export function connectAddress({ server, user, secret }: Connection): string {
  return `${server}/connect#${new URLSearchParams({ user, secret })}`
}

/** Reads what `connectAddress` wrote; undefined where something is missing. */
export function connectionAt(place: { origin: string; hash: string }): Connection | undefined {
  const given = new URLSearchParams(place.hash.replace(/^#/, ''))
  const user = given.get('user')
  const secret = given.get('secret')
  if (user === null || secret === null || user === '' || secret === '') return undefined
  return { server: place.origin, user, secret }
}

/** Whether the address means the very device that opens it, so that no other can reach the server by it. */
export function isLoopback(server: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(server).hostname)
}
