'use server'

import { dialogActions } from '@/app/_server/dialog-actions'
import { setPrice } from '@/lib/retention/price'

const { actionOn } = dialogActions(['/storage/cost'])

export const savePrice = actionOn('setting.store_price', (ctx, source, { fields, reason }) => {
  const amount = fields.amount?.trim() ?? ''
  const price = amount === '' ? null : { amount, currency: fields.currency?.trim() ?? '' }
  return setPrice(ctx, { source, price, reason })
})
