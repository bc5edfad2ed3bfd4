import { once } from 'node:events'
import { startUploadServer } from './test-support.ts'

/** A server in a process of its own, to be killed. Its parent sends `{ folder, hang }`; it answers with its address. */
const [{ folder, hang }] = await once(process, 'message')

const server = await startUploadServer(folder, {
  wrapRecords: (records) => {
    if (!hang) return records
    // The blob is durable at this moment, the facts are not, and never will be.
    return { ...records, apply: () => new Promise(() => process.send?.('hanging')) }
  },
})
process.send?.(server.url)
