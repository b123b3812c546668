import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import compression from 'compression'
import express5 from 'express'
import express4 from 'express4'
import multer from 'multer'
import { keepRawBody, toExpressHandler } from '@/sdk/adapters/express'
import { KEY_SECRET } from '../support'
import { errorBody, listen } from './harness'
import { createPayments } from './payments'
import { describeAdapter } from './suite'

/** As middleware of sessions and of security headers do it. */
function addLate(_incoming: IncomingMessage, outgoing: ServerResponse, next: () => void): void {
  const writeHead = outgoing.writeHead
  outgoing.writeHead = function (this: ServerResponse, ...head: unknown[]) {
    outgoing.setHeader('x-late', 'yes')
    return Reflect.apply(writeHead, this, head)
  } as typeof writeHead
  next()
}

function answerError(error: unknown, _incoming: IncomingMessage, outgoing: ServerResponse, _next: unknown) {
  outgoing.statusCode = 500
  outgoing.setHeader('content-type', 'application/json')
  outgoing.end(JSON.stringify(errorBody(error)))
}

for (const [name, express] of [
  ['Express 4', express4],
  ['Express 5', express5],
] as const) {
  const verify = { verify: keepRawBody }
  const parsers = {
    plain: [],
    parsed: [
      express.json(),
      express.urlencoded({ extended: true }),
      express.text(),
      express.raw(),
      multer().any(),
    ],
    kept: [express.json(verify), express.urlencoded({ extended: true, ...verify }), express.text(verify)],
  }
  describeAdapter(name, {
    start(mounting, { fixture, control }) {
      const app = express()
      app.use(compression())
      app.use(addLate)
      for (const parser of parsers[mounting]) app.use(parser)
      const handler = createPayments<IncomingMessage>(
        { store: fixture.store, keySecret: KEY_SECRET },
        control.url,
      )
      app.use('/v1/payments', toExpressHandler(handler))
      app.use(answerError)
      return listen(app as unknown as RequestListener)
    },
    bodies: { plain: {}, parsed: { form: 'refused', upload: 'refused' }, kept: {} },
    usual: 'kept',
    errors: 'handler',
    streams: true,
    compresses: true,
    addsLate: true,
  })
}
