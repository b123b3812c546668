import { inject } from 'vitest'
import { expectNothingBroken } from './expect-nothing-broken'

expectNothingBroken(101, () => inject('postgresUrl'))
