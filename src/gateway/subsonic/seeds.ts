/** Gives random lists an order that lasts from their first page to their last. */
export interface Seeds {
  /** A new seed for a first page, the same one for those that follow. */
  of(device: string, offset: number): number
}

/** Devices whose order is remembered. */
const mostDevices = 1_000

export function createSeeds(): Seeds {
  const known = new Map<string, number>()
  return {
    of(device, offset) {
      const seed = (offset > 0 ? known.get(device) : undefined) ?? Math.floor(Math.random() * 2 ** 31)
      known.delete(device)
      known.set(device, seed)
      const [oldest] = known.keys()
      if (known.size > mostDevices && oldest !== undefined) known.delete(oldest)
      return seed
    },
  }
}
