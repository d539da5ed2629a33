import { Route, Switch } from 'wouter'
import { Empty, Panel } from '../design/surfaces.tsx'
import { AccountMenu } from '../trader/account-menu.tsx'
import { Notices } from '../trader/notices.tsx'
import { DeskProvider } from './desk-provider.tsx'
import { KeepSecrets } from './keep-secrets.tsx'
import { loadedPage } from './loaded-page.tsx'
import { Shell } from './shell.tsx'

const TradePage = loadedPage(() => import('../trader/trade-page.tsx'))
const HistoryPage = loadedPage(() => import('../trader/history-page.tsx'))
const WalletPage = loadedPage(() => import('../trader/wallet-page.tsx'))
const BankPage = loadedPage(() => import('../bank/bank-page.tsx'))
const PlatformPage = loadedPage(() => import('../platform/platform-page.tsx'))

/** Pages by their paths. */
export const App = () => (
  <DeskProvider>
    <Shell account={<AccountMenu />} notices={<Notices />}>
      <KeepSecrets>
        <Switch>
          <Route path="/" component={TradePage} />
          <Route path="/history" component={HistoryPage} />
          <Route path="/wallet" component={WalletPage} />
          <Route path="/bank/*?" component={BankPage} />
          <Route path="/platform" component={PlatformPage} />
          <Route>
            <Panel title="Nothing here">
              <Empty title="This page does not exist">Choose one above.</Empty>
            </Panel>
          </Route>
        </Switch>
      </KeepSecrets>
    </Shell>
  </DeskProvider>
)
