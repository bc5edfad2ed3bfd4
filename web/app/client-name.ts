/** "Firefox, Linux" out of a User-Agent; other programs name themselves shortly. */
export function clientName(client: string): string {
  if (!client.startsWith('Mozilla/')) return client
  const browser = client.match(/(Firefox|Edg|OPR|Chrome|Safari)\//)?.[1] ?? 'Browser'
  const system = client.match(/(Android|iPhone|iPad|Windows|Mac OS X|Linux|CrOS)/)?.[1]
  const name = { Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser
  return system === undefined ? name : `${name}, ${system.replace(' OS X', '')}`
}
