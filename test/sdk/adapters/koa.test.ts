import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import compress from 'koa-compress'
import { type KoaContext, toKoaMiddleware } from '@/sdk/adapters/koa'
import { KEY_SECRET } from '../support'
import { errorBody, listen } from './harness'
import { createPayments } from './payments'
import { describeAdapter } from './suite'

describeAdapter('Koa', {
  start(mounting, { fixture, control }) {
    const app = new Koa()
    // Of connections that the suite breaks.
    app.on('error', () => {})
    app.use(async (context, next) => {
      try {
        await next()
      } catch (error) {
        context.status = 500
        context.body = errorBody(error)
      }
    })
    app.use(compress())
    app.use(async (context, next) => {
      await next()
      context.set('x-late', 'yes')
    })
    if (mounting === 'parsed') app.use(bodyParser({ enableTypes: ['json', 'form', 'text'] }))
    const options = { store: fixture.store, keySecret: KEY_SECRET }
    app.use(toKoaMiddleware(createPayments<KoaContext>(options, control.url)))
    return listen(app.callback())
  },
  // koa-bodyparser keeps what it read by itself.
  bodies: { plain: {}, parsed: {} },
  usual: 'parsed',
  errors: 'handler',
  streams: true,
  compresses: true,
  addsLate: true,
})
