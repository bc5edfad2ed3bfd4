import { availableParallelism } from 'node:os'

/** How busy this process is, as a function to be asked now and then: the share of the processors that it used since. */
export function loadOfProcess(): () => number {
  let usedBefore = process.cpuUsage()
  let before = performance.now()
  return () => {
    const used = process.cpuUsage(usedBefore)
    const now = performance.now()
    const share = (used.user + used.system) / 1_000 / Math.max(1, now - before) / availableParallelism()
    usedBefore = process.cpuUsage()
    before = now
    return Math.min(1, Math.round(share * 100) / 100)
  }
}
