import { deriveKey } from '../keys/content-key'
import { readWholeBody } from '../keys/whole-body'
import type { Settings } from '../run/options'
import type { RequestHead } from './head'

type Read = Pick<Settings<unknown>, 'clock' | 'bodyBytesMax' | 'executionDeadlineMs'>

/** How requests of a kind are read; the gateway has its own, since a Web stream costs more than all else of a short body. */
export type RequestKind<R extends RequestHead> = {
  /** The whole body, or the answer that refuses it. */
  readBody(request: R, bounds: Read): Promise<Uint8Array<ArrayBuffer> | Response>
  /** The same request, for a handler that is to read its body. */
  withBody(request: R, body: Uint8Array<ArrayBuffer>): R
  /** For a key that is made of the request; absent = keys come in the header only. */
  deriveKey?: (
    ...of: [
      ...(Parameters<typeof deriveKey> extends [infer S, infer C, Request, ...infer Rest]
        ? [S, C, R, ...Rest]
        : never),
    ]
  ) => ReturnType<typeof deriveKey>
}

export const WEB_REQUESTS: RequestKind<Request> = {
  readBody: readWholeBody,
  withBody: ({ url, method, headers }, body) =>
    new Request(url, { method, headers, body: body.byteLength === 0 ? null : body }),
  deriveKey,
}
