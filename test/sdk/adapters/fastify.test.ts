import compress from '@fastify/compress'
import formbody from '@fastify/formbody'
import multipart from '@fastify/multipart'
import { type FastifyRequest, fastify } from 'fastify'
import { keepRawBody, toFastifyHandler } from '@/sdk/adapters/fastify'
import { KEY_SECRET } from '../support'
import { errorBody } from './harness'
import { createPayments } from './payments'
import { describeAdapter } from './suite'

describeAdapter('Fastify', {
  async start(mounting, { fixture, control }) {
    const app = fastify({ forceCloseConnections: true })
    if (mounting === 'kept') app.addHook('preParsing', keepRawBody)
    await app.register(compress, { globalDecompression: mounting !== 'plain' })
    if (mounting === 'plain') {
      app.removeAllContentTypeParsers()
      app.addContentTypeParser('*', (_request, _payload, done) => done(null))
    } else {
      await app.register(formbody)
      await app.register(multipart)
    }
    app.addHook('onSend', async (_request, reply) => void reply.header('x-late', 'yes'))
    app.setErrorHandler((error, _request, reply) => reply.code(500).send(errorBody(error)))
    const options = { store: fixture.store, keySecret: KEY_SECRET }
    app.all('/v1/payments', toFastifyHandler(createPayments<FastifyRequest>(options, control.url)))
    return { url: await app.listen({ host: '127.0.0.1', port: 0 }), close: () => app.close() }
  },
  bodies: {
    plain: {},
    // Fastify takes no octets unless it is told how.
    parsed: { form: 'refused', octets: 'rejected' },
    kept: { octets: 'rejected' },
  },
  usual: 'kept',
  errors: 'handler',
  streams: true,
  compresses: true,
  addsLate: true,
})
