/** The little of Express and multer that the tests use; their own types would be three packages more. */
declare module 'express' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  type Handler = (
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    next: (error?: unknown) => void,
  ) => unknown
  type ErrorHandler = (
    error: unknown,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    next: (error?: unknown) => void,
  ) => unknown
  type ParserOptions = {
    type?: string
    extended?: boolean
    strict?: boolean
    verify?: (incoming: IncomingMessage, outgoing: ServerResponse, bytes: Buffer) => void
  }
  type Parser = (options?: ParserOptions) => Handler
  type Express = {
    (): Handler & { use(path: string | Handler | ErrorHandler, ...handlers: Handler[]): void }
    json: Parser
    urlencoded: Parser
    text: Parser
    raw: Parser
  }
  const express: Express
  export default express
}

declare module 'express4' {
  import express from 'express'

  export default express
}

declare module 'multer' {
  import type { Handler } from 'express'

  export default function multer(): { any(): Handler }
}
