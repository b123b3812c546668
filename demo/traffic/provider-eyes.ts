import type Stripe from 'stripe'
import type { Control } from '../provider/control'

/** The provider as a fault's script sees it: it reads charges like anyone, and makes the provider misbehave. */
export interface ProviderEyes {
  readonly control: Control
  /** Ids of the succeeded charges of a business reference, in the order of their creation. */
  chargesOf(customer: string, reference: string): Promise<string[]>
}

const pageSize = 100
const pagesMax = 20

export function watchProvider(stripe: Stripe, control: Control): ProviderEyes {
  return {
    control,
    async chargesOf(customer, reference) {
      const found = await stripe.charges
        .list({ customer, limit: pageSize })
        .autoPagingToArray({ limit: pageSize * pagesMax })
      return found
        .filter((charge) => charge.metadata.reference === reference)
        .map((charge) => charge.id)
        .reverse()
    },
  }
}
