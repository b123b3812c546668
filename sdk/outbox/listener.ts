import type { Pool } from 'pg'
import { borrowClient } from '../stores/postgres/borrow-client'
import { CHANNEL } from './layout'

export type Listener = {
  /** Listens, unless it does already; throws when it cannot. */
  ensure(): Promise<void>
  close(): void
}

/** One connection of the pool that hears of what is published in this schema. */
export function createListener(pool: Pool, schema: string, heard: () => void): Listener {
  let release: ((broken?: unknown) => void) | null = null
  const end = (broken: unknown) => {
    release?.(broken)
    release = null
  }
  return {
    async ensure() {
      if (release !== null) return
      const borrowed = await borrowClient(pool)
      const { client } = borrowed
      const hear = ({ channel, payload }: { channel: string; payload?: string | undefined }) => {
        if (channel === CHANNEL && payload === schema) heard()
      }
      client.on('notification', hear)
      client.once('end', end)
      client.once('error', end)
      release = (broken) => {
        client.off('notification', hear)
        client.off('end', end)
        client.off('error', end)
        borrowed.release(broken)
      }
      await client.query(`LISTEN ${CHANNEL}`).catch((error: unknown) => {
        end(error)
        throw error
      })
    },
    // It listens until it is closed: it must not go back to the pool.
    close: () => end(new Error('the relay has ended')),
  }
}
