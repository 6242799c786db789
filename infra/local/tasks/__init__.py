"""Cloud Tasks on one machine: the gRPC service `google.cloud.tasks.v2.CloudTasks` behind the real client.

What it does rests on Google's reference of the API and, where that is silent, on what others recorded from the
real service. Google's own throttling (slow ramp-up of idle queues, lower rates after many errors) is unpublished
and left out.
"""
