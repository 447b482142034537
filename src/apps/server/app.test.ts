import { leaseDeskContract } from '#ports/lease-desk.contract';
import { servedDesk } from '../../../test/support/desk-bed.js';

leaseDeskContract('behind a server', servedDesk);
