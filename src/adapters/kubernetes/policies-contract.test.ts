/** The contract of the port, on a strict API server over HTTPS that has the CRD of deploy/kubernetes/controller. */
import { migPoliciesContract } from '#ports/mig-policies.contract';
import { servePolicies } from '../../../test/support/served-policies.js';

migPoliciesContract('kubernetes', () => servePolicies());
