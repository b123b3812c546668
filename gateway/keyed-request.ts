import type { IncomingMessage } from 'node:http'
import type { RequestHead } from '@/sdk/requests/head'
import type { RequestKind } from '@/sdk/requests/kind'
import { problemResponse } from './problem'

/** A request as it came, and then its body: neither a Web Request nor a stream of it is made. */
export type KeyedRequest = RequestHead & { incoming: IncomingMessage; body: Uint8Array }

const NO_BODY = new Uint8Array()

/** Throws TypeError when its address is none. */
export function toKeyedRequest(incoming: IncomingMessage): KeyedRequest {
  const { headers, method = 'POST', url = '/' } = incoming
  const origin = `http://${headers.host ?? 'localhost'}`
  return {
    incoming,
    method,
    // Appended, not resolved: `//host/path` is a path here, never another host.
    url: new URL(origin + (url.startsWith('/') ? url : `/${url}`)).href,
    body: NO_BODY,
    headers: {
      get(name) {
        const value = headers[name.toLowerCase()]
        return value === undefined ? null : String(value)
      },
      has: (name) => headers[name.toLowerCase()] !== undefined,
      keys: () => Object.keys(headers),
    },
  }
}

export const KEYED_REQUESTS: RequestKind<KeyedRequest> = {
  readBody: ({ incoming }, { clock, bodyBytesMax, executionDeadlineMs }) =>
    new Promise((resolve, reject) => {
      const declared = Number(incoming.headers['content-length'])
      if (declared > bodyBytesMax) {
        resolve(problemResponse('tooLarge'))
        return
      }
      if (incoming.destroyed) {
        reject(new Error('the client went away while it was sending'))
        return
      }
      const chunks: Buffer[] = []
      let length = 0
      const refuse = (name: 'tooLarge' | 'bodyTimeout') => {
        end()
        // What is left of it is not read: the connection ends with the answer.
        incoming.pause()
        resolve(problemResponse(name))
      }
      const cancelDeadline = clock.after(executionDeadlineMs, () => refuse('bodyTimeout'))
      const end = () => {
        cancelDeadline()
        incoming.off('data', take).off('end', finish).off('error', fail).off('close', cut)
      }
      const take = (chunk: Buffer) => {
        length += chunk.byteLength
        if (length > bodyBytesMax) refuse('tooLarge')
        else chunks.push(chunk)
      }
      const finish = () => {
        end()
        resolve(chunks.length === 1 ? (chunks[0] as Buffer<ArrayBuffer>) : Buffer.concat(chunks, length))
      }
      const fail = (error: Error) => {
        end()
        reject(error)
      }
      const cut = () => fail(new Error('the client went away while it was sending'))
      incoming.on('data', take).on('end', finish).on('error', fail).on('close', cut)
    }),
  withBody: (request, body) => ({ ...request, body }),
}
