import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import type { Account } from '../../src/protocol/api/accounts.ts'
import { welcomeQuery } from './queries.ts'
import { useServices } from './services.tsx'

/** The account that is signed in. Screens inside the shell always have one. */
export function useAccount(): Account | undefined {
  const { api } = useServices()
  return useQuery(welcomeQuery(api)).data?.account
}

/** Puts the page into the state after signing in: knows the account, forgets what was asked before. */
export function useSignedIn(): (account: Account, to?: string) => Promise<void> {
  const { api, view } = useServices()
  const queries = useQueryClient()
  const router = useRouter()
  return async (account, to = '/') => {
    const before = queries.getQueryData(welcomeQuery(api).queryKey)
    queries.clear()
    queries.setQueryData(welcomeQuery(api).queryKey, {
      needsSetup: false,
      needsSetupCode: false,
      version: before?.version ?? '',
      account,
    })
    view.set({ signedOut: false })
    await router.invalidate()
    await router.navigate({ href: to.startsWith('/') && !to.startsWith('//') ? to : '/' })
  }
}

export function useSignOut(): () => Promise<void> {
  const { api, player, view } = useServices()
  return async () => {
    player.pause()
    try {
      await api.signOut()
    } finally {
      view.set({ signedOut: true })
    }
  }
}
