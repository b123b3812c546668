/** The little of Koa and of compression middleware that the tests use; they bring no types of their own. */
declare module 'koa' {
  import type { RequestListener } from 'node:http'
  import type { KoaContext } from '@/sdk/adapters/koa'

  type Middleware = (context: KoaContext, next: () => Promise<void>) => unknown
  export default class Koa {
    use(middleware: Middleware): this
    on(event: 'error', listen: (error: unknown) => void): this
    callback(): RequestListener
  }
}

declare module 'koa-bodyparser' {
  import type { KoaContext } from '@/sdk/adapters/koa'

  export default function bodyParser(options: {
    enableTypes: string[]
  }): (context: KoaContext, next: () => Promise<void>) => Promise<void>
}

declare module 'koa-compress' {
  import type { KoaContext } from '@/sdk/adapters/koa'

  export default function compress(): (context: KoaContext, next: () => Promise<void>) => Promise<void>
}

declare module 'compression' {
  import type { Handler } from 'express'

  export default function compression(): Handler
}
