import { ownDesk } from '../../../../test/support/desk-bed.js';
import { leaseDeskContract } from '#ports/lease-desk.contract';

leaseDeskContract('over the store', ownDesk);
