import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { World } from './suite'

/** In front of the handler: nothing reads bodies; the framework's parsers as they come; parsers that keep the bytes. */
export type Mounting = 'plain' | 'parsed' | 'kept'

export type BodyKind = 'json' | 'form' | 'upload' | 'text' | 'octets' | 'zipped'

/**
 * `compared` by what was sent; `refused` with a word on how to mount; `rejected` by the framework itself, which takes no such
 * body.
 */
export type Fate = 'compared' | 'refused' | 'rejected'

export type Served = { url: string; close(): Promise<unknown> }

export type Harness = {
  start(mounting: Mounting, world: World): Promise<Served>
  /** By how the handler is mounted; what is not named is compared. */
  bodies: Partial<Record<Mounting, Partial<Record<BodyKind, Fate>>>>
  /** Where the rest of the suite runs. */
  usual: Mounting
  /** Where thrown errors go: to the framework's own handler, or to an answer without their text. */
  errors: 'handler' | 'answer'
  /** Whether answers pass as they come. */
  streams: boolean
  /** Whether a middleware compresses answers. */
  compresses: boolean
  /** Whether a hook of the framework adds `x-late` to every answer when its head is written. */
  addsLate: boolean
}

export async function listen(listener: RequestListener): Promise<Served> {
  const server = createServer(listener)
  return { url: await listenOn(server), close: () => closeServer(server) }
}

export async function listenOn(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return urlOf(server)
}

export const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

export function closeServer(server: Server): Promise<unknown> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(resolve))
}

/** What the frameworks' own error handlers answer in the suite. */
export const errorBody = (error: unknown) =>
  error instanceof Error ? { error: error.name, message: error.message } : { error: 'unknown' }
