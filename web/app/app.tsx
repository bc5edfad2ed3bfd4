import { QueryClientProvider, useQuery } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useState } from 'react'
import { preferredLanguage, WordsProvider } from '../i18n/i18n.tsx'
import { welcomeQuery } from './queries.ts'
import { createAppRouter } from './router.tsx'
import { type Services, ServicesContext } from './services.tsx'
import { SoundContext } from './sound.tsx'

export function App({ services }: { services: Services }) {
  const [sound] = useState(() => ({ player: services.player, address: services.gateways.address }))
  return (
    <ServicesContext value={services}>
      <SoundContext value={sound}>
        <QueryClientProvider client={services.queries}>
          <Translated services={services} />
        </QueryClientProvider>
      </SoundContext>
    </ServicesContext>
  )
}

function Translated({ services }: { services: Services }) {
  const [router] = useState(() => createAppRouter(services))
  const welcome = useQuery({ ...welcomeQuery(services.api), enabled: false })
  return (
    <WordsProvider language={preferredLanguage(welcome.data?.account?.language, navigator.languages)}>
      <RouterProvider router={router} />
    </WordsProvider>
  )
}
