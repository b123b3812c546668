import 'reflect-metadata'
import type { IncomingMessage, ServerResponse } from 'node:http'
import compress from '@fastify/compress'
import multipart from '@fastify/multipart'
import { All, type ArgumentsHost, Catch, Controller, Module, Req, Res } from '@nestjs/common'
import { APP_FILTER, HttpAdapterHost, NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import compression from 'compression'
import { toNestHandler } from '@/sdk/adapters/nest'
import { KEY_SECRET } from '../support'
import { errorBody, type Mounting, urlOf } from './harness'
import { createPayments } from './payments'
import { describeAdapter } from './suite'

type Handle = ReturnType<typeof toNestHandler>
type HandleArguments = Parameters<Handle>

/** What decorators make of a class; the tests' compiler has none of them. */
function createModule(handle: Handle) {
  class PaymentsController {
    create(request: HandleArguments[0], response: HandleArguments[1]) {
      return handle(request, response)
    }
  }
  Controller('v1/payments')(PaymentsController)
  Req()(PaymentsController.prototype, 'create', 0)
  Res()(PaymentsController.prototype, 'create', 1)
  const method = Object.getOwnPropertyDescriptor(PaymentsController.prototype, 'create')
  if (method !== undefined) All()(PaymentsController.prototype, 'create', method)
  class AppModule {}
  const filter = {
    provide: APP_FILTER,
    useFactory: (host: HttpAdapterHost) => new ErrorFilter(host),
    inject: [HttpAdapterHost],
  }
  Module({ controllers: [PaymentsController], providers: [filter] })(AppModule)
  return AppModule
}

class ErrorFilter {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(error: unknown, host: ArgumentsHost) {
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), errorBody(error), 500)
  }
}
Catch()(ErrorFilter)

const usePlatform = {
  'Express 5': async () => {
    const adapter = new ExpressAdapter()
    adapter.use(compression())
    adapter.use((_incoming: IncomingMessage, outgoing: ServerResponse, next: () => void) => {
      outgoing.setHeader('x-late', 'yes')
      next()
    })
    return adapter
  },
  Fastify: async (mounting: Mounting) => {
    const adapter = new FastifyAdapter({ forceCloseConnections: true })
    const instance = adapter.getInstance()
    await instance.register(compress as Parameters<NestFastifyApplication['register']>[0], {
      globalDecompression: mounting !== 'plain',
    })
    if (mounting === 'plain') {
      instance.removeAllContentTypeParsers()
      instance.addContentTypeParser('*', (_request, _payload, done) => done(null))
    } else await instance.register(multipart as Parameters<NestFastifyApplication['register']>[0])
    instance.addHook('onSend', async (_request, reply) => void reply.header('x-late', 'yes'))
    return adapter
  },
} as const

for (const [platform, createAdapter] of Object.entries(usePlatform)) {
  const rejected = platform === 'Fastify' ? ({ octets: 'rejected' } as const) : {}
  describeAdapter(`NestJS on ${platform}`, {
    async start(mounting, { fixture, control }) {
      const handler = createPayments<object>({ store: fixture.store, keySecret: KEY_SECRET }, control.url)
      const app = await NestFactory.create(
        createModule(toNestHandler(handler)),
        await createAdapter(mounting),
        {
          logger: false,
          bodyParser: mounting !== 'plain',
          rawBody: mounting === 'kept',
          forceCloseConnections: true,
        },
      )
      await app.listen(0, '127.0.0.1')
      return { url: urlOf(app.getHttpServer()), close: () => app.close() }
    },
    bodies: { plain: {}, parsed: { form: 'refused', ...rejected }, kept: rejected },
    usual: 'kept',
    errors: 'handler',
    streams: true,
    compresses: true,
    addsLate: true,
  })
}
